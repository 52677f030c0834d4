; A boot sector that counts the timer's interrupts: it sets the timer to 100 a second, puts a handler of its own on
; IRQ 0 in the place of the BIOS's, and waits in HLT for 200 of them, with the count on the screen.
;
; A debugger should see INT 08h's vector (0x20) at `tick` after the STI, a breakpoint at `tick` (0x7c50) hit once for
; each interrupt with the count in `count` (0x7c4e) so far, and a step off a HLT end at `tick`, too.

	bits 16
	org 0x7c00

	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ax, 0x0003
	int 0x10
	mov word [8 * 4], tick
	mov word [8 * 4 + 2], 0
	mov al, 0x34		; counter 0, mode 2, both bytes
	out 0x43, al
	mov al, 11932 & 0xff	; of 1193182 Hz
	out 0x40, al
	mov al, 11932 >> 8
	out 0x40, al
	sti
idle:	hlt
	cmp byte [count], 200
	jb idle
	cli
	mov si, text
.next:	lodsb
	test al, al
	jz .end
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp .next
.end:	hlt

	times 0x4e - ($ - $$) nop
count:	db 0
	nop

tick:	push ax			; at 0x7c50
	push bx
	push es
	mov ax, 0xb800
	mov es, ax
	inc byte [cs:count]
	mov al, [cs:count]	; three digits in the upper right corner
	mov bx, 79 * 2
.digit:	aam
	add al, '0'
	mov [es:bx], al
	mov al, ah
	sub bx, 2
	cmp bx, 76 * 2
	ja .digit
	mov al, 0x20		; the end of the interrupt
	out 0x20, al
	pop es
	pop bx
	pop ax
	iret

text:	db '200 ticks', 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
