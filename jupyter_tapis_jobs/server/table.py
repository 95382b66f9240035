"""The table of all routes."""

from __future__ import annotations

from . import (
    about,
    apps,
    child_systems,
    credentials,
    files,
    given_tokens,
    hosts,
    job_annotations,
    job_sharing,
    jobs,
    linux,
    oauth2,
    path_sharing,
    postits,
    profiles,
    purge,
    sharing,
    studies,
    subscriptions,
    systems,
    tenants,
    transfers,
)
from .route import Route

TABLE: tuple[Route, ...] = (
    *jobs.ROUTES,
    *job_annotations.ROUTES,
    *job_sharing.ROUTES,
    *subscriptions.ROUTES,
    *apps.ROUTES,
    *systems.ROUTES,
    *child_systems.ROUTES,
    *sharing.ROUTES,
    *credentials.ROUTES,
    *profiles.ROUTES,
    *files.ROUTES,
    *path_sharing.ROUTES,
    *linux.ROUTES,
    *postits.ROUTES,
    *transfers.ROUTES,
    *oauth2.ROUTES,
    *given_tokens.ROUTES,
    *tenants.ROUTES,
    *hosts.ROUTES,
    *studies.ROUTES,
    *purge.ROUTES,
    *about.ROUTES,
)
