"""Makes one self-contained HTML page from the marts: `make report`."""
