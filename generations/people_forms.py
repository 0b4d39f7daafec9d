"""What people fill in about themselves: joining by a link, their e-mail address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from generations.models import User


class JoinForm(forms.ModelForm[User]):
    """A new person. One password field: who mistypes it can ask for another by mail."""

    password = forms.CharField(strip=False, max_length=1000)
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)

    class Meta:
        model = User
        fields = ("first_name", "username", "email")

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
