if mkdir lock 2>/dev/null; then echo got; fi
if mkdir lock 2>/dev/null; then echo no; else echo held; fi
rmdir lock
