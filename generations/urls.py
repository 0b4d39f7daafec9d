"""Routes of the studio. Every one stands in the access table of tests/test_access.py."""

from __future__ import annotations

from django.urls import path

from generations.views import (
    account,
    compare,
    compose,
    exports,
    files,
    gallery,
    jobs,
    live,
    projects,
)

urlpatterns = [
    path("", projects.home, name="home"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("password/", account.password, name="password"),
    path("settings/", account.settings, name="settings"),
    path("projects/", projects.project_list, name="project-list"),
    path("projects/new/", projects.project_new, name="project-new"),
    path("p/<uuid:project>/", compose.studio, name="studio"),
    path("p/<uuid:project>/compose/", compose.submit, name="compose"),
    path("p/<uuid:project>/feed/", compose.feed, name="feed"),
    path("p/<uuid:project>/g/<uuid:generation>/", compose.generation, name="generation"),
    path("p/<uuid:project>/events/", live.stream, name="events"),
    path("p/<uuid:project>/gallery/", gallery.gallery, name="gallery"),
    path("p/<uuid:project>/settings/", projects.project_settings, name="project-settings"),
    path("p/<uuid:project>/members/", projects.member_add, name="member-add"),
    path(
        "p/<uuid:project>/members/<int:membership>/",
        projects.member_change,
        name="member-change",
    ),
    path("a/<uuid:asset>/", gallery.asset, name="asset"),
    path("a/<uuid:asset>/download/", files.download, name="download"),
    path("f/<uuid:asset>/original", files.original, name="file-original"),
    path("f/<uuid:asset>/<int:width>", files.rendition, name="file-rendition"),
    path("compare/", compare.compare, name="compare"),
    path("export/", exports.selection, name="export"),
    path("g/<uuid:generation>/export/", exports.run, name="generation-export"),
    path("g/<uuid:generation>/cancel/", jobs.cancel_all, name="generation-cancel"),
    path("j/<uuid:job>/cancel/", jobs.cancel, name="job-cancel"),
    path("j/<uuid:job>/retry/", jobs.retry, name="job-retry"),
    path("j/<uuid:job>/send-again/", jobs.send_again, name="job-send-again"),
    path("j/<uuid:job>/dismiss/", jobs.dismiss, name="job-dismiss"),
    path("j/<uuid:job>/adopt/", jobs.adopt, name="job-adopt"),
]
