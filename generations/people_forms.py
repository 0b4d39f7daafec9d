"""What people fill in about themselves: joining by a link, their e-mail address."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.contrib.auth.forms import PasswordResetForm
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from generations.models import User
from generations.services import people


class JoinForm(forms.ModelForm[User]):
    """A new person. One password field: who mistypes it can ask for another by mail."""

    password = forms.CharField(label=_("Password"), strip=False, max_length=1000)
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)

    class Meta:
        model = User
        fields = ("first_name", "username", "email")
        labels: ClassVar = {
            "first_name": _("Your name, as others see it"),
            "username": _("Name to sign in with"),
            "email": _("E-mail address"),
        }

    def clean_username(self) -> str:
        """Names that differ only in case would be taken for one another."""
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("Somebody here has this name already. Choose another."))
        return name

    def _post_clean(self) -> None:
        """The password is looked at last, when the person it must not resemble is known."""
        super()._post_clean()  # type: ignore[misc]  # the stubs do not know this hook
        password = self.cleaned_data.get("password")
        if password:
            try:
                password_validation.validate_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password", error)

    def save(self, commit: bool = True) -> Any:
        """The person, not stored yet: that happens with the membership, in one transaction."""
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        user.language = self.cleaned_data["language"]
        return user


class EmailForm(forms.ModelForm[User]):
    """The address to which a forgotten password's link goes.

    It asks for the password: who finds a browser open must not be able to send that link to themselves.
    """

    password = forms.CharField(strip=False, max_length=1000)

    class Meta:
        model = User
        fields = ("email",)

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.instance.check_password(password):
            raise ValidationError(_("That is not your password."))
        return password


class ForgottenForm(PasswordResetForm):
    """The address of who forgot. Whether it is anybody's must not show, in words or in time."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Few letters to one address, whoever's it is: the button is no means to flood somebody."""
        if people.may_write_to(self.cleaned_data["email"]):
            super().save(*args, **kwargs)

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Written and sent aside: a page that waits for it would tell that there is somebody."""
        context = args[2] if len(args) > 2 else kwargs["context"]
        language = context["user"].language or translation.get_language()
        people.later(lambda: self._send(language, *args, **kwargs))

    def _send(self, language: str, *args: Any, **kwargs: Any) -> None:
        with translation.override(language):
            super().send_mail(*args, **kwargs)
