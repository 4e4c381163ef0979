mkdir k; cd k
: >A; : >b; : >1; : >_; : >' x'; : >-
echo [[:upper:]]; echo [[:lower:]]; echo [[:digit:]]; echo [[:alpha:]]; echo [![:alnum:]]; echo [[:punct:]]; echo *[[:space:]]*
echo [-a]; echo [A-Z]; echo [0-9_]; echo []]; echo [
