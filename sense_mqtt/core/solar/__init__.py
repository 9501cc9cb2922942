"""The sun over a home with solar: what is left over of it, and what it says of the sky."""
