"""How Cloud Storage names and writes usage and storage logs: no input or output."""
