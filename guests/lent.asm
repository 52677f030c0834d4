; Lends the BIOS its interrupts from protected mode, as boot loaders do: for three seconds it looks at no key, and
; then, back in real mode, it prints what it gets from INT 16h, up to an Enter.
	bits 16
	org 0x7c00

CODE equ 0x08
DATA equ 0x10
IDT equ 0x8000
TICKS equ 0x46c

	jmp 0:start
start:
	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov di, IDT + 8 * 8
	mov si, gates
	mov cx, (gates_end - gates) / 2
	rep movsw
	mov bp, [TICKS]
	lgdt [gdt_pointer]
	call protect

wait_on:
	sti
	hlt
	cli
	mov ax, [TICKS]
	sub ax, bp
	cmp ax, 55
	jb wait_on
	call unprotect

	sti
print:
	mov ah, 0
	int 0x16
	cmp al, 13
	je end
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp print
end:
	mov ax, 0x0e0a
	int 0x10
	cli
	hlt

protect:
	lidt [idt_pointer]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp CODE:.on
.on:
	mov ax, DATA
	mov ds, ax
	mov es, ax
	mov ss, ax
	ret

unprotect:
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:.on
.on:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	lidt [ivt_pointer]
	ret

timer:
	pushad
	call unprotect
	int 0x08
	jmp back
keyboard:
	pushad
	call unprotect
	int 0x09
back:
	cli
	call protect
	popad
	sti
	o32 retf 4 ; the flags are of no use where interrupts come, and not every host emulates an IRET here

	align 8
gates:	dw timer, CODE, 0x8e00, 0
	dw keyboard, CODE, 0x8e00, 0
gates_end:

gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0
	dw 0xffff, 0, 0x9300, 0
gdt_end:
gdt_pointer:
	dw gdt_end - gdt - 1
	dd gdt
idt_pointer:
	dw 10 * 8 - 1
	dd IDT
ivt_pointer:
	dw 0x3ff
	dd 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
