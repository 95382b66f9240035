"""The table of all routes."""

from __future__ import annotations

from . import about, apps, files, jobs, oauth2, systems, tenants
from .route import Route

TABLE: tuple[Route, ...] = (
    *jobs.ROUTES,
    *apps.ROUTES,
    *systems.ROUTES,
    *files.ROUTES,
    *oauth2.ROUTES,
    *tenants.ROUTES,
    *about.ROUTES,
)
