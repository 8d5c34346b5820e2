from django.urls import path

from settlements.views import account, catalogue, claims, closing, estimate, premiums, settlements, statements, wallet

app_name = "settlements"
urlpatterns = [
    path("account/", account.account, name="account"),
    path("account/why/", account.why, name="why"),
    path("account/statement/", statements.statement_page, name="statement"),
    path("account/statement/file/", statements.statement_file, name="statement_file"),
    path("account/statement/<uuid:public_id>/copy/", statements.statement_copy, name="statement_copy"),
    path("account/closing/<uuid:public_id>/", closing.closing, name="closing"),
    path("premiums/", premiums.home, name="premiums"),
    path("premiums/<uuid:public_id>/", premiums.group, name="premium_group"),
    path("premiums/<uuid:public_id>/check/", premiums.check, name="premium_check"),
    path("premiums/payments/<uuid:public_id>/", premiums.payment, name="premium"),
    path("premiums/payments/<uuid:public_id>/refund/", premiums.refund, name="premium_refund"),
    path("premiums/orders/<uuid:public_id>/withdraw/", premiums.withdraw, name="premium_withdraw"),
    path("settlements/", settlements.bills, name="bills"),
    path("settlements/<uuid:public_id>/", settlements.bill, name="bill"),
    path("estimate/", estimate.estimate, name="estimate"),
    path("catalogue/", catalogue.catalogue, name="catalogue"),
    path("claims/new/", claims.new, name="claim_new"),
    path("claims/check/", claims.check, name="claim_check"),
    path("claims/<uuid:public_id>/", claims.claim, name="claim"),
    path("claims/<uuid:public_id>/amend/", claims.amend, name="claim_amend"),
    path("claims/<uuid:public_id>/withdraw/", claims.withdraw, name="claim_withdraw"),
    path("recalculations/<uuid:public_id>/", claims.recalculated, name="recalculation"),
    path("reversals/<uuid:public_id>/", claims.reversal, name="reversal"),
    path("wallet/", wallet.home, name="wallet"),
    path("wallet/open/", wallet.open_it, name="wallet_open"),
    path("wallet/movements/", wallet.moves, name="wallet_moves"),
    path("wallet/places/", wallet.places, name="wallet_places"),
    path("wallet/pays/", wallet.pays, name="wallet_pays"),
    path("wallet/send/", wallet.send, name="wallet_send"),
    path("wallet/send/check/", wallet.check, name="wallet_check"),
    path("wallet/transfers/<uuid:public_id>/", wallet.transfer, name="transfer"),
    path("wallet/transfers/<uuid:public_id>/accept/", wallet.accept, name="transfer_accept"),
]
