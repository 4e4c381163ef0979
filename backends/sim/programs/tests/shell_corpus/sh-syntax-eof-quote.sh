echo "abc
def
