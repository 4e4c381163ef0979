mkdir -p p/q p/r s; : >p/q/1; : >p/q/2; : >p/r/1; : >s/1; : >p/.hid
echo */*; echo p/*/1; echo */; echo p/?/*; echo ./*; echo p//q/*; echo */*/nosuch; echo p/./*; echo "p"/*; echo p/\*
cd p; echo ../*; echo */../*
