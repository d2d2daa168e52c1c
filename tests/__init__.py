"""The tests of tradelake."""
