x=1; env | grep '^x=' || echo none
export x; env | grep '^x='
export y=2 z="a b"; env | grep '^[yz]=' | sort
unset x; env | grep '^x=' || echo gone
export q; echo [${q-unset}]; q=5; env | grep '^q='
export p=~; [ "$p" = "$HOME" ] && echo home
v='a b'; export w=$v; echo "$w"
(export sub=1); echo [$sub]
