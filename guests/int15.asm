; A boot sector that calls the services of INT 15h that a BIOS has for memory, the A20 gate and idle programs, with
; things that go wrong, and prints what came of it: AX to DX and the carry flag.
;
; A debugger should see INT 15h at 0x7c2b with the registers of the row at SI, and, after the block moves, "moved" at 2 MiB
; and at 0x9000.

	bits 16
	org 0x7c00

	jmp 0:start
start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov si, calls
next:	mov ax, [si]
	mov bx, [si + 2]
	mov cx, [si + 4]
	mov dx, 0
	push si
	mov si, [si + 6]
	times 0x2b - ($ - $$) nop
	int 0x15		; at 0x7c2b
	pop si
	pushf
	push dx
	push cx
	push bx
	push ax
	mov ax, [si]		; what was called
	call word_out
	mov cx, 4
.value:	mov al, ' '
	call put
	pop ax
	call word_out
	loop .value
	mov al, ' '
	call put
	pop ax
	and al, 1
	add al, '0'
	call put
	mov al, 13
	call put
	mov al, 10
	call put
	add si, 8
	cmp si, calls_end
	jb next

	mov si, 0x9000		; what was moved
	mov cx, 5
.text:	lodsb
	call put
	loop .text
	cli
	hlt

word_out:
	push ax
	mov al, ah
	call hex
	pop ax
hex:	push ax
	shr al, 4
	call .digit
	pop ax
	and al, 15
.digit:	cmp al, 10
	sbb al, 0x69
	das
put:	push bx
	mov bx, 7
	mov ah, 0x0e
	int 0x10
	pop bx
	ret

; AX, BX, CX and SI.
calls:	dw 0x2402, 0, 0, 0	; A20: its state; off; on
	dw 0x2400, 0, 0, 0
	dw 0x2402, 0, 0, 0
	dw 0x2401, 0, 0, 0
	dw 0x2402, 0, 0, 0
	dw 0x2403, 0, 0, 0
	dw 0x24ff, 0, 0, 0
	dw 0x8700, 0, 3, up	; from here to 2 MiB, and back
	dw 0x8700, 0, 3, down
	dw 0x8700, 0, 0, up	; nothing; too much; from where there is no memory
	dw 0x8700, 0, 0x8001, up
	dw 0x8700, 0, 3, nowhere
	dw 0x8800, 0, 0, 0	; sizes
	dw 0x8a00, 0, 0, 0
	dw 0xe801, 0, 0, 0
	dw 0xe881, 0, 0, 0
	dw 0x5300, 0, 0, 0	; power management: there is some; none but for real mode
	dw 0x5301, 0, 0, 0
	dw 0x5302, 0, 0, 0
	dw 0x5303, 0, 0, 0
	dw 0x530e, 0, 0x0101, 0
	dw 0x5305, 0, 0, 0	; idle, until the next tick
	dw 0x5307, 5, 3, 0	; a device that is not there; a state that is not there
	dw 0x5307, 1, 7, 0
	dw 0x530b, 0, 0, 0
	dw 0x5380, 0, 0, 0
	dw 0x4f1e, 0, 0, 0	; a scan code goes through
	dw 0xc100, 0, 0, 0
	dw 0xc200, 0, 0, 0
	dw 0xbf00, 0, 0, 0	; there is no such service
calls_end:

; The tables have the descriptors of source and target at 16 and 24; the BIOS's own are around them.
up	equ $ - 16
	dw 0xffff, text, 0x9300, 0
	dw 0xffff, 0, 0x9320, 0
down	equ $ - 16
	dw 0xffff, 0, 0x9320, 0
	dw 0xffff, 0x9000, 0x9300, 0
nowhere	equ $ - 16
	dw 0xffff, 0, 0x9300, 0xc000
	dw 0xffff, 0x9000, 0x9300, 0
text:	db 'moved', 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
