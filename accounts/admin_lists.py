"""Lists of the administration over tables of millions: what Django asks of the whole table is asked here of a part."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

ONE_DAY = datetime.timedelta(days=1)


class ShortCount(Paginator):
    """Counts no further than MOST: counting millions of rows takes seconds a page. Who looks for an older row searches or
    filters."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: self.MOST].count()

    @property
    def is_short(self) -> bool:
        """Whether there may be more than were counted."""
        return self.count == self.MOST


def known_values(field: str, title: Any, values: Callable[[], Iterable[tuple[str, Any]]]) -> type[admin.ListFilter]:
    """A filter by the values that the code knows, with their names: Django's own asks the whole table which values are in
    it, and shows them as they are stored."""

    class KnownValues(admin.SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(code, str(name)) for code, name in values()]

        def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
            return rows.filter(**{field: self.value()}) if self.value() else rows

    KnownValues.title = title
    return KnownValues


class DaysFilter(admin.FieldListFilter):
    """From one day to another, both whole; either may be left open. Django's hierarchy of dates reads the whole table."""

    template = "admin/days_filter.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.first, self.last = days_asked(field.name)
        self.is_moment = isinstance(field, models.DateTimeField)
        super().__init__(field, request, params, model, model_admin, field_path)

    def expected_parameters(self) -> list[str]:
        return [self.first, self.last]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        """What the form of the filter needs; there is nothing to choose from."""
        others = {
            name: values for name, values in changelist.filter_params.items() if name not in (self.first, self.last)
        }
        yield {
            "others": [(name, value) for name, values in others.items() for value in values],
            "boxes": [(name, self._said(name)) for name in (self.first, self.last)],
            "all": changelist.get_query_string(remove=[self.first, self.last]),
            "is_chosen": bool(self.used_parameters),
        }

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        first, last = self._day(self.first), self._day(self.last)
        if first:
            rows = rows.filter(**{f"{self.field_path}__gte": self._bound(first)})
        if last:
            rows = rows.filter(**{f"{self.field_path}__lt": self._bound(last + ONE_DAY)})
        return rows

    def _said(self, name: str) -> str:
        said = self.used_parameters.get(name) or [""]
        return str(said[-1])

    def _day(self, name: str) -> datetime.date | None:
        try:
            return datetime.date.fromisoformat(self._said(name)) if self._said(name) else None
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error

    def _bound(self, day: datetime.date) -> datetime.date:
        return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min)) if self.is_moment else day


def back_to(request: HttpRequest, url_name: str) -> str:
    """The address of the list from which a page of our own was opened, with what was filtered and searched there."""
    asked = request.GET.get("_changelist_filters", "")
    return f"{reverse(url_name)}?{asked}" if asked else reverse(url_name)


def days_asked(field: str) -> tuple[str, str]:
    """The names under which an address says first and last day of a `DaysFilter`."""
    return f"{field}_from", f"{field}_to"
