"""Keys and credentials at rest."""
