"""The catalogue at the window: is this covered, and can an account pay for it?"""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import role_required
from accounts.enums import Role
from accounts.models import Region
from accounts.policies import regions_with_role
from settlements.views.catalogue import found_context


@role_required(Role.CLERK, Role.SUPERVISOR)
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """In the region where the clerk serves, of several the one asked for; under HTMX only the answer."""
    regions = list(
        Region.objects.filter(pk__in=regions_with_role(request.user, Role.CLERK, Role.SUPERVISOR)).order_by("pk")
    )
    asked = request.GET.get("region") or (regions[0].pk if regions else "")
    region = next((region for region in regions if region.pk == asked), None)
    if region is None:
        raise Http404
    context = found_context(request, region) | {"regions": regions}
    template = "settlements/_catalogue.html" if request.htmx else "counter/catalogue.html"
    return render(request, template, context, status=context["status"])
