"""What the images of a release take, and whether database and files agree."""
