"""What `make bench` measures. Every row compares two things of the same run: the machine's own speed cancels out."""
