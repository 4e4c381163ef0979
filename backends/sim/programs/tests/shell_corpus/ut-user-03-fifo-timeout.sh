# A server behind a FIFO answers requests; a client gives up when nobody answers.
mkfifo req rep
serve() {
  while read -r cmd arg <req; do
    case $cmd in
      add) set -- $(echo "$arg" | tr + ' '); echo $(($1 + $2)) >rep ;;
      up) echo "$arg" | tr a-z A-Z >rep ;;
      quit) echo bye >rep; return 7 ;;
      *) echo "err: $cmd" >rep ;;
    esac
  done
}
ask() { echo "$*" >req; read -r answer <rep; echo "$* -> $answer"; }
serve & server=$!
ask add 3+4; ask up hello world; ask nonsense; ask quit; wait $server; echo "server: $?"
timeout 0.2 sh -c 'echo late >req'; echo "client: $?"
timeout 0.2 cat rep; echo "reader: $?"
exec 3<>req; echo buffered >&3; read -r line <&3; echo "$line"; exec 3>&-
( sleep 0.1; echo slow >req ) & timeout 5 head -n 1 req; wait; echo end
