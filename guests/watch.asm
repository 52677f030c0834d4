; Touches memory in every way that a watchpoint can see; 16-bit code, to be loaded at 0x1000.
;
; A debugger should see each write to, and each read of, the bytes at `data`, and nothing else:
; `other`, next to them, is written in between.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x3000
	mov word [data], 0x1234		; 0x100b
	mov byte [other], 1
	mov al, [data + 1]		; 0x1016
	inc word [data]			; 0x1019: reads and writes
	mov word [data], 0x1235		; 0x101d: the same value
	push word [data]		; 0x1023: reads it, and writes to the stack
	pop bx
	mov di, data - 2
	mov cx, 6
	mov al, 0x55
	cld
	rep stosb			; 0x1031: the third and fourth write to it
	mov si, data - 1
	mov cx, 3
	rep lodsb			; 0x1039: the second and third read it
	mov dword [0x1ffe], 0xaabbccdd	; 0x103b: across two pages
	call f				; 0x1044: writes to the stack
	hlt
f:	ret

	align 16
	db 0, 0
data:	dw 0
other:	dw 0
	dw 0
