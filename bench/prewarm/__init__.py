"""What `idr prewarm` reaches, beside what the same upstream serves to h2load."""
