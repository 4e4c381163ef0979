IFS=x sh -c 'v=axb; echo $v'
IFS=x; v=axb; echo $v; sh -c 'v=axb; echo $v'
