; DAA, DAS, AAA and AAS with each AL, AF and CF: sums of what comes of it, from 0x2000 on, a doubleword each; then
; instructions that do nothing, and a halt.
;
; A debugger should see the same sums whether the host's KVM or the debugger's stub carries the instructions out.

	bits 16
	org 0x1000

%macro sum 3				; instruction, which of LAHF's flags it defines, where
	xor ebx, ebx
	xor cx, cx
%%next:	mov ax, cx			; AF and CF from bits 8 and 9
	shl ah, 4
	mov dl, ah
	shr dl, 5
	and ah, 0x10
	or ah, dl
	sahf
	mov ah, 0x12
	mov al, cl
	%1
	mov dx, ax
	lahf
	and ah, %2
	rol ebx, 3
	xor bh, ah
	add bx, dx
	inc cx
	cmp cx, 0x400
	jne %%next
	mov [%3], ebx
%endmacro

	sum daa, 0xd5, 0x2000
	sum das, 0xd5, 0x2004
	sum aaa, 0x11, 0x2008
	sum aas, 0x11, 0x200c
	db 0xf3, 0x0f, 0x1e, 0xfa	; ENDBR64
	db 0xf3, 0x0f, 0x1e, 0xfb	; ENDBR32
	db 0x0f, 0x1d, 0x84, 0x00, 0x10	; NOP [SI + 0x1000]
	hlt
