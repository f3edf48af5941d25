"""Text, tables, errors, notices, page header, confirmations, chart colours: no Azure, no cache."""
