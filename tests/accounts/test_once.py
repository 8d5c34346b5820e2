"""Forms that come twice."""

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.once import OnceForm, done_once, new_token


@pytest.fixture
def post(rf, people):
    """A request of the holder with a token."""
    cache.clear()

    def made(token: str, user=None):
        request = rf.post("/here/", {"token": token})
        request.user = user or people.holder
        return request

    return made


def test_the_second_time_leads_to_where_the_first_one_went(post) -> None:
    done, token = [], new_token()

    def work():
        done.append(1)
        return redirect("/there/")

    answers = [done_once(post(token), work) for _ in range(3)]
    assert [answer["Location"] for answer in answers] == ["/there/"] * 3
    assert done == [1]


def test_two_forms_and_two_people_are_not_mixed_up(post, people) -> None:
    done, token = [], new_token()

    def work():
        done.append(1)
        return redirect("/there/")

    done_once(post(token), work)
    done_once(post(new_token()), work)
    done_once(post(token, people.spouse), work)
    assert done == [1, 1, 1]


def test_an_answer_with_errors_may_be_corrected(post) -> None:
    token = new_token()
    assert done_once(post(token), lambda: HttpResponse(status=422)).status_code == 422
    assert done_once(post(token), lambda: redirect("/there/"))["Location"] == "/there/"


def test_a_crash_leaves_the_form_free(post) -> None:
    token = new_token()
    with pytest.raises(ZeroDivisionError):
        done_once(post(token), lambda: 1 / 0)
    assert done_once(post(token), lambda: redirect("/there/"))["Location"] == "/there/"


def test_a_second_press_while_the_first_is_at_work_waits_at_the_page(post) -> None:
    token = new_token()
    seen = []

    def work():
        seen.append(done_once(post(token), lambda: redirect("/twice/"))["Location"])
        return redirect("/there/")

    done_once(post(token), work)
    assert seen == ["/here/"]


@pytest.mark.parametrize("token", ["", "short", "with spaces in it, long enough", "ü" * 20])
def test_no_token_no_work(post, token) -> None:
    request = post(token)
    request.htmx = False
    assert done_once(request, lambda: redirect("/there/")).status_code == 400


def test_each_form_has_a_token_of_its_own() -> None:
    assert OnceForm()["token"].value() != OnceForm()["token"].value()
