"""The table of all routes."""

from __future__ import annotations

from . import (
    about,
    apps,
    credentials,
    files,
    given_tokens,
    hosts,
    job_annotations,
    jobs,
    linux,
    oauth2,
    postits,
    profiles,
    purge,
    subscriptions,
    systems,
    tenants,
    transfers,
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
    *transfers.ROUTES,
    *oauth2.ROUTES,
    *given_tokens.ROUTES,
    *tenants.ROUTES,
    *hosts.ROUTES,
    *purge.ROUTES,
    *about.ROUTES,
)
