"""Makes the raw files of the bundled study: six invented hospitals' ways of writing down simulated patients."""
