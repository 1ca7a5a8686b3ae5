"""`idr review`: a short summary of a preview, the most dangerous changes first, and guard rails."""
