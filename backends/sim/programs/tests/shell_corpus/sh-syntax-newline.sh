if true &&
fi
