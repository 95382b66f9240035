"""The table of all routes."""

from __future__ import annotations

from . import (
    about,
    apps,
    credentials,
    files,
    hosts,
    job_annotations,
    jobs,
    linux,
    oauth2,
    postits,
    profiles,
    subscriptions,
    systems,
    tenants,
)
from .route import Route

TABLE: tuple[Route, ...] = (
    *jobs.ROUTES,
    *job_annotations.ROUTES,
    *subscriptions.ROUTES,
    *apps.ROUTES,
    *systems.ROUTES,
    *credentials.ROUTES,
    *profiles.ROUTES,
    *files.ROUTES,
    *linux.ROUTES,
    *postits.ROUTES,
    *oauth2.ROUTES,
    *tenants.ROUTES,
    *hosts.ROUTES,
    *about.ROUTES,
)
