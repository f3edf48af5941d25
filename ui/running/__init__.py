"""Which images run where: clusters are asked, and what is unknown is said."""
