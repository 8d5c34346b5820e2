from django.urls import path

from settlements.views import account, settlements, statements

app_name = "settlements"
urlpatterns = [
    path("account/", account.account, name="account"),
    path("account/statement/", statements.statement_page, name="statement"),
    path("account/statement/file/", statements.statement_file, name="statement_file"),
    path("account/statement/<uuid:public_id>/copy/", statements.statement_copy, name="statement_copy"),
    path("settlements/", settlements.bills, name="bills"),
    path("settlements/<uuid:public_id>/", settlements.bill, name="bill"),
]
