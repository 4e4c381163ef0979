if then echo a; fi
