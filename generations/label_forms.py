"""What an owner fills in about a project's AIGC labels."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generations.models import LabelPolicy


class LabelPolicyForm(forms.ModelForm[LabelPolicy]):
    """The policy; what is wrong with it is the model's to say."""

    class Meta:
        model = LabelPolicy
        fields = (
            "corner",
            "language",
            "opacity",
            "text",
            "implicit",
            "producer",
            "producer_id",
            "propagator",
            "propagator_id",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        opacity, long = self.fields["opacity"], _("At most 256 characters.")
        for kind in ("invalid", "max_digits", "max_decimal_places", "max_whole_digits"):
            opacity.error_messages[kind] = _("Choose an opacity from 0 to 1, like 0.6.")
        opacity.error_messages["required"] = opacity.error_messages["invalid"]
        for name in ("corner", "language"):
            self.fields[name].error_messages["invalid_choice"] = _("Choose one of the list.")
        for name in ("text", "producer", "producer_id", "propagator", "propagator_id"):
            self.fields[name].error_messages["max_length"] = long
