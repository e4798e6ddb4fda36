"""People's decisions about who is who: link, unlink, review."""
