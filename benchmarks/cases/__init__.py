"""Published problems with known answers, written as ordinary instances."""
