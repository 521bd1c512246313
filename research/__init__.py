"""What reproduces and measures: a folder a study, one runner, and pages made from its tables. See README.md."""
