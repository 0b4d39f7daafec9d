"""Routes of the whole site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

handler404 = "generations.api.problems.not_found"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("generations.urls")),
]
