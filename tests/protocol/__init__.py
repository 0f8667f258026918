"""Tests of the study file, the mapping file and conditions."""
