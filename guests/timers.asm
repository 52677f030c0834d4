; A boot sector that looks closely at the timers and at the serial port's register for what is received, and prints a dot
; for each thing that is as the chips' data sheets say, an x if not. Then it resets the machine once: the clock and the
; CMOS memory go on.
;
; A debugger should see $bx count the periodic interrupts of the clock, 1024 a second.

	bits 16
	org 0x7c00

mark	equ 0x7f			; a byte of the CMOS memory
value	equ 0x42

%macro told 0
	mov al, '.'
	je %%good
	mov al, 'x'
%%good:	out 0xe9, al
%endmacro
%macro cmos 2				; write
	mov al, %1
	out 0x70, al
	mov al, %2
	out 0x71, al
%endmacro

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov al, mark
	out 0x70, al
	in al, 0x71
	cmp al, value
	je again

	; Channel 2 in mode 0 stands still while its gate is low, and goes on behind it.
	in al, 0x61
	and al, 0xfc
	or al, 1
	out 0x61, al
	mov al, 0xb0
	out 0x43, al
	xor al, al
	out 0x42, al
	out 0x42, al
	call wait_a_little
	in al, 0x61
	and al, 0xfe
	out 0x61, al
	call count
	mov bx, ax
	call wait_a_little
	call count
	cmp ax, bx
	told
	in al, 0x61
	or al, 1
	out 0x61, al
	call count
	sub bx, ax			; a little less
	cmp bh, 0
	told

	; In mode 1 its output is high until the gate rises, and then low.
	mov al, 0xb2
	out 0x43, al
	xor al, al
	out 0x42, al
	out 0x42, al
	call output
	cmp al, 0x20
	told
	in al, 0x61
	and al, 0xfe
	out 0x61, al
	or al, 1
	out 0x61, al
	call output
	cmp al, 0
	told

	; The mode of channel 0 alone makes no interrupt, whatever else happens.
	cli
	mov al, 0x34
	out 0x43, al
	xor al, al
	out 0x40, al
	mov al, 1
	out 0x40, al
	out 0x21, al
	call wait_a_little
	mov al, 0x11			; no interrupt is pending
	out 0x20, al
	mov al, 8
	out 0x21, al
	mov al, 4
	out 0x21, al
	mov al, 1
	out 0x21, al
	mov al, 0x30
	out 0x43, al
	mov al, 0xee			; the keyboard's echo
	out 0x60, al
	call wait_a_little
	in al, 0x60
	mov al, 0x0a			; IRR
	out 0x20, al
	in al, 0x20
	test al, 1
	told

	; Without its queue the serial port keeps the last character.
	mov dx, 0x3fc
	mov al, 0x10			; to itself
	out dx, al
	mov dx, 0x3f8
	mov al, 1
	out dx, al
	call wait_a_little
	mov dx, 0x3f8
	mov al, 2
	out dx, al
	call wait_a_little
	mov dx, 0x3f8
	in al, dx
	cmp al, 2
	told

	; 1024 interrupts a second, for a loop that does nothing.
	mov word [0x70 * 4], clock
	mov [0x70 * 4 + 2], cs
	mov al, 0xfe
	out 0xa1, al
	mov al, 0xfb			; the second controller
	out 0x21, al
	cmos 0x0b, 0x42
	xor bx, bx
	xor si, si
	sti
.spin:	cmp si, 1
	jbe .spin
	cli
	cmp bx, 1000
	jb .few
	cmp bx, 1050
	ja .few
	cmp bx, bx
.few:	told

	mov ah, 3
	mov cx, 0x1234
	xor dx, dx
	int 0x1a
	cmos mark, value
	mov al, 0xfe
	out 0x64, al
	hlt

again:	mov ah, 2
	int 0x1a
	cmp cx, 0x1234
	told
	mov al, 10
	out 0xe9, al
	cli
	hlt

clock:	push ax
	mov al, 0x0c
	out 0x70, al
	in al, 0x71
	test al, 0x10			; a second is over
	jz .periodic
	inc si
.periodic:
	cmp si, 1
	jne .eoi
	inc bx
.eoi:	mov al, 0x20
	out 0xa0, al
	out 0x20, al
	pop ax
	iret

wait_a_little:
	mov cx, 200
.read:	in al, 0x61
	loop .read
	ret
count:	mov al, 0x80
	out 0x43, al
	in al, 0x42
	mov ah, al
	in al, 0x42
	xchg al, ah
	ret
output:	mov al, 0xe8			; the state of channel 2
	out 0x43, al
	in al, 0x42
	shr al, 2
	and al, 0x20
	ret

	times 510 - ($ - $$) db 0
	dw 0xaa55
