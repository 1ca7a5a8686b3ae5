"""`idr review`: a short summary of a preview, the most dangerous first, and guard rails that it must not break."""
