# The firmware of the KVM probe; its bytes are in firmware.rs. To make them again:
#   as --64 -o firmware.o firmware.S && objcopy -O binary -j .text firmware.o firmware.bin
# The processor begins in real mode at f000:fff0. It goes to long mode with paging, as every kernel does, counts, fills
# memory, asks the board a few times, and tells the debug-exit port that it got there.
LOOPS = 20000000
MEMB = 8388608
OUTS = 64
.code16
start:
    lgdtl %cs:gdtr_off
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $(0xf0000 + prot - start)
gdtr_off = gdtr - start
.code32
prot:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x8000, %esp
    # page tables at 0x1000: identity map of the first GiB by 2 MiB pages
    xorl %eax, %eax
    movl $0x1000, %edi
    movl $3072, %ecx
    rep stosl
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x3000, %edi
    movl $0x83, %eax
    movl $512, %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b
    movl %cr4, %eax
    orl $0x20, %eax
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    ljmpl $24, $(0xf0000 + long - start)
.code64
long:
    movl $LOOPS, %ecx
2:  decl %ecx
    jnz 2b
    # memory: write 8 MiB
    xorl %eax, %eax
    movl $0x200000, %edi
    movl $(MEMB/8), %ecx
    rep stosq
    movl $OUTS, %ecx
3:  outb %al, $0x80
    decl %ecx
    jnz 3b
    movb $0x2a, %al
    movw $0xf4, %dx
    outb %al, %dx
4:  hlt
    jmp 4b
.balign 8
gdt: .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00af9b000000ffff
gdtr: .word 31
    .long 0xf0000 + gdt - start
.org 0xfff0
.code16
    ljmpw $0xf000, $0
.org 0x10000
