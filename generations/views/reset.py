"""A forgotten password: Django's own three pages, with our templates, manners and addresses."""

from __future__ import annotations

from typing import Any

from axes.utils import reset as lift_lock
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import (
    PasswordResetConfirmView,
    PasswordResetDoneView,
    PasswordResetView,
)
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from generations.models import User
from generations.people_forms import ForgottenForm
from generations.services import people
from generations.views.people import address

page = require_http_methods(["GET", "HEAD", "POST"])


@method_decorator(page, name="dispatch")
class Forgotten(PasswordResetView):
    """Asks for the address; the answer is the same whether it is anybody's or not."""

    form_class = ForgottenForm
    template_name = "registration/forgotten.html"
    email_template_name = "registration/forgotten_mail.txt"
    subject_template_name = "registration/forgotten_subject.txt"
    success_url = reverse_lazy("password-sent")

    def form_valid(self, form: Any) -> HttpResponse:
        self.extra_email_context = {"base": address(self.request, "home").rstrip("/")}
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


@method_decorator(require_safe, name="dispatch")
class Sent(PasswordResetDoneView):
    template_name = "registration/forgotten_sent.html"


@method_decorator(page, name="dispatch")
class NewPassword(PasswordResetConfirmView):
    """Behind the link. Setting the password ends every session of that person."""

    template_name = "registration/new_password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        response = super().form_valid(form)
        people.end_elsewhere(user=form.user, session_key=None)
        lift_lock(username=form.user.get_username())
        messages.success(self.request, _("Your password has been changed. Sign in with it."))
        return response

    def form_invalid(self, form: SetPasswordForm[User]) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        if not self.validlink:
            more["status"] = 404
        return super().render_to_response(context, **more)
