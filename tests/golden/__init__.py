"""Reports as text: the run folders they are made from, their text form, and the kept texts."""
