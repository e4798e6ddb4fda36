"""Letters: from templates and rows to messages, over SMTP, and what comes back of them."""
