; A boot sector that has the timer interrupt 1000 times a second and spins, without a HLT or an access to a port, until
; there were 1500; then it prints the second that the clock is at.
;
; A debugger should see `tick` (0x7c50) entered between any two instructions of the loop at `spin` (0x7c2a), and one second
; to have passed.

	bits 16
	org 0x7c00

	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov [count], ax
	mov word [8 * 4], tick
	mov word [8 * 4 + 2], ax
	mov al, 0x34
	out 0x43, al
	mov al, 1193 & 0xff
	out 0x40, al
	mov al, 1193 >> 8
	out 0x40, al
	sti
	times 0x2a - ($ - $$) nop
spin:	cmp word [count], 1500
	jb spin
	cli
	mov ah, 0x02
	int 0x1a
	mov al, dh
	add al, '0'
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	hlt

	times 0x50 - ($ - $$) nop
tick:	push ax
	inc word [count]
	mov al, 0x20
	out 0x20, al
	pop ax
	iret

	times 510 - ($ - $$) db 0
	dw 0xaa55
count	equ 0x8000
