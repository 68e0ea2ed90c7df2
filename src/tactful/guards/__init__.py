"""One file per promise kept at decision time. The file's name is the plug-in's name."""
