; A boot sector that prints the map of memory of INT 15h AX=E820h: start, length and type of each range. (services.asm
; asks for all that a BIOS says of memory.)
;
; A debugger should see an entry of 20 bytes at 0x8000 behind each INT 15h (at 0x7c24), with its size in ECX, "SMAP"
; in EAX and in EBX what the next call is to be given, 0 behind the last.

	bits 16
	org 0x7c00

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	xor ebx, ebx
	cld

next:	mov eax, 0xe820
	mov edx, 'PAMS'
	mov ecx, 20
	mov di, entry
	int 0x15
	jc end
	mov si, entry + 4	; a range's words are printed from its upper half on
	call quad
	mov si, entry + 12
	call quad
	mov eax, [entry + 16]
	call double
	mov al, 13
	call put
	mov al, 10
	call put
	test ebx, ebx
	jnz next
end:	cli
	hlt

quad:	lodsd
	call double.digits
	mov eax, [si - 8]
double:	call .digits
	mov al, ' '
	jmp put

.digits: mov cx, 8
.digit:	rol eax, 4
	push eax
	and al, 15
	cmp al, 10
	sbb al, 0x69		; '0' to '9', 'A' to 'F'
	das
	call put
	pop eax
	loop .digit
	ret

put:	push bx
	mov bx, 7
	mov ah, 0x0e
	int 0x10
	pop bx
	ret

	times 510 - ($ - $$) db 0
	dw 0xaa55
entry	equ 0x8000
