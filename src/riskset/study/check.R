# Refits the numbers of this study with R and compares them with the stored ones.
