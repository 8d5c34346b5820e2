from django.urls import path

from counter.views import bills, cases, catalogue, closing, desk, review, sharing

app_name = "counter"
urlpatterns = [
    path("", desk.home, name="home"),
    path("member/", desk.member, name="member"),
    path("member/numbers/", desk.unmask, name="unmask"),
    path("member/close/", desk.close, name="close"),
    path("member/statement/", desk.statement, name="statement"),
    path("journal/", desk.journal, name="journal"),
    path("bind/", sharing.bind, name="bind"),
    path("order/", sharing.order, name="order"),
    path("cases/<uuid:public_id>/", cases.case, name="case"),
    path("cases/<uuid:public_id>/amend/", sharing.amend, name="amend"),
    path("cases/<uuid:public_id>/commitment/", sharing.commitment, name="commitment"),
    path("cases/<uuid:public_id>/receipt/", sharing.receipt, name="receipt"),
    path("grants/<uuid:public_id>/end/", sharing.end, name="end"),
    path("closing/", closing.choose, name="closing"),
    path("closing/<slug:kind>/", closing.begin, name="closing_begin"),
    path("cases/<uuid:public_id>/closing/", closing.amend, name="closing_amend"),
    path("cases/<uuid:public_id>/form/", closing.form_paper, name="closing_form"),
    path("cases/<uuid:public_id>/paper/", closing.paper, name="closing_paper"),
    path("claim/", bills.claim, name="claim"),
    path("recalculate/", bills.recalculate, name="recalculate"),
    path("payments/", bills.payments, name="payments"),
    path("payments/file/", bills.payments_file, name="payments_file"),
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("queue/", review.queue, name="queue"),
    path("queue/<uuid:public_id>/", cases.review, name="review"),
]
