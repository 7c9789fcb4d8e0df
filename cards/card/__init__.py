"""What a stranger reads of a release: README, datasheet, licences, Croissant, plots and a picture, all made from facts."""
