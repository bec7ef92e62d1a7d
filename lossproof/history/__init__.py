"""From runs on several releases of torch to the table of defects and conventions by release."""
