; Reads and writes disks by the ports of an IDE controller, by polling and by interrupts, as small kernels do, and
; tells what it finds; the last is a CD's first volume descriptor.
;
; A debugger should see the handler of IRQ 14 entered for each block, and breakpoints in what a REP INSW has read.

	bits 16
	org 0x7c00

BUFFER	equ 0x9000

	jmp 0:start
start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov ax, 0x0207
	mov bx, 0x7e00
	mov cx, 2
	mov dh, 0
	int 0x13
	jc $
	jmp stage

; A command of the primary channel: AL the command, AH the device register, CL the count, EBX the sector.
command:
	push ax
	mov dx, 0x1f6
	mov al, ah
	out dx, al
	mov dx, 0x1f2
	mov al, cl
	out dx, al
	inc dx
	mov al, bl
	out dx, al
	inc dx
	mov al, bh
	out dx, al
	inc dx
	push ebx
	shr ebx, 16
	mov al, bl
	pop ebx
	out dx, al
	mov dx, 0x1f7
	pop ax
	out dx, al
	ret

; Until BSY is off. AL is the status.
ready:	mov dx, 0x1f7
.again:	in al, dx
	test al, 0x80
	jnz .again
	ret

; 256 words to BUFFER.
read:	call ready
	mov di, BUFFER
	mov dx, 0x1f0
	mov cx, 256
	rep insw
	ret

putc:	pusha
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	popa
	ret

puts:	lodsb
	test al, al
	jz .end
	call putc
	jmp puts
.end:	ret

hex8:	rol eax, 16
	call hex4
	rol eax, 16
hex4:	xchg al, ah
	call hex2
	xchg al, ah
hex2:	push ax
	shr al, 4
	call hex1
	pop ax
hex1:	push ax
	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	call putc
	pop ax
	ret

; The text behind the call, then AX or AL and a line's end by the two below.
say:	pop si
	call puts
	jmp si

	times 510-($-$$) db 0
	db 0x55, 0xaa

show2:	call hex2
	jmp end
show4:	call hex4
end:	mov al, 10
	jmp putc

; Words whose first character is the high byte: CX of them from SI on.
words:	lodsw
	xchg al, ah
	call putc
	xchg al, ah
	call putc
	loop words
	jmp end

stage:	call say
	db 'status: ', 0
	mov dx, 0x1f6
	mov al, 0xa0
	out dx, al
	inc dx
	in al, dx
	call show2
	call say
	db 'without a second disk: ', 0
	mov dx, 0x1f6
	mov al, 0xb0
	out dx, al
	inc dx
	in al, dx
	call show2

	mov ax, 0xe0ec
	xor ebx, ebx
	mov cl, 0
	call command
	call read
	call say
	db 'identify: ', 0
	mov si, BUFFER + 2*27
	mov cx, 10
	call words
	call say
	db 'geometry: ', 0
	mov ax, [BUFFER + 2]
	call hex4
	mov al, '/'
	call putc
	mov ax, [BUFFER + 6]
	call hex4
	mov al, '/'
	call putc
	mov ax, [BUFFER + 12]
	call hex4
	mov al, ' '
	call putc
	mov eax, [BUFFER + 120]
	call hex8
	call end

	mov ax, 0xe020
	mov ebx, 16
	mov cl, 1
	call command
	call read
	call say
	db 'by number: ', 0
	mov ax, [BUFFER]
	call show4
	mov ax, 0xa020			; cylinder 0, head 0, sector 18
	mov ebx, 18
	mov cl, 1
	call command
	call ready
	mov di, BUFFER
	mov dx, 0x1f0
	mov cx, 128
	rep insd
	call say
	db 'by cylinder, head and sector: ', 0
	mov ax, [BUFFER]
	call show4
	mov ax, 0xe020
	mov ebx, 0xffffff
	mov cl, 1
	call command
	call ready
	call say
	db 'a sector that is not there: ', 0
	mov dx, 0x1f1
	in al, dx
	call show2
	mov ax, 0xe055
	call command
	call ready
	call say
	db 'a command that is none: ', 0
	mov dx, 0x1f1
	in al, dx
	call show2

; Blocks by interrupts: three sectors, in blocks of two.
	cli
	mov word [0x76*4], irq14
	mov word [0x76*4+2], 0
	sti
	mov ax, 0xe0c6
	mov cl, 2
	xor ebx, ebx
	call command
	hlt
	mov ax, 0xe0c4
	mov ebx, 17
	mov cl, 3
	call command
	mov di, BUFFER
	mov bp, 512
.block:	hlt
	cmp byte [came], 0
	je .block
	mov byte [came], 0
	mov dx, 0x1f0
	mov cx, bp
	rep insw
	shr bp, 1
	cmp bp, 128
	jne .block
	call say
	db 'by interrupts: ', 0
	mov al, [count]
	call hex2
	mov al, ' '
	call putc
	mov ax, [BUFFER]
	call hex4
	mov al, ' '
	call putc
	mov ax, [BUFFER + 512]
	call hex4
	mov al, ' '
	call putc
	mov ax, [BUFFER + 1024]
	call show4

; Two sectors are written, and read again by the BIOS.
	cli
	mov di, BUFFER
	mov ax, 0x5aa5
	mov cx, 512
	rep stosw
	mov ax, 0xe030
	mov ebx, 18
	mov cl, 2
	call command
	mov bp, 2
	mov si, BUFFER
.write:	call ready
	mov dx, 0x1f0
	mov cx, 256
	rep outsw
	dec bp
	jnz .write
	call ready
	call say
	db 'written: ', 0
	call hex2
	mov al, ' '
	call putc
	mov ax, 0xe0e7
	call command
	call ready
	mov ax, 0x0204
	mov bx, BUFFER
	mov cx, 18
	mov dx, 0x80
	int 0x13
	mov ax, [BUFFER]
	call hex4
	mov al, ' '
	call putc
	mov ax, [BUFFER + 512]
	call hex4
	mov al, ' '
	call putc
	mov ax, [BUFFER + 1024]
	call hex4
	mov al, ' '
	call putc
	mov ax, [BUFFER + 1536]
	call show4

; The CD, if there is one, is the second channel's first device.
	mov dx, 0x3f6
	mov al, 4
	out dx, al
	mov dx, 0x376
	out dx, al
	mov al, 0
	out dx, al
	mov dx, 0x3f6
	out dx, al
	call say
	db 'second channel: ', 0
	mov dx, 0x172
	mov cx, 4
.sign:	in al, dx
	inc dx
	call hex2
	loop .sign
	call end
	mov dx, 0x175
	in al, dx
	cmp al, 0xeb
	jne .halt
	dec dx
	mov al, 0
	out dx, al			; 2048 bytes at once
	inc dx
	mov al, 8
	out dx, al
	mov dx, 0x177
	mov al, 0xa0
	out dx, al
.send:	in al, dx
	test al, 8
	jz .send
	mov dx, 0x170
	mov si, read10
	mov cx, 6
	rep outsw
	mov dx, 0x177
.busy:	in al, dx
	test al, 0x80
	jnz .busy
	call say
	db 'CD: ', 0
	call hex2
	mov al, ' '
	call putc
	mov dx, 0x170
	mov di, BUFFER
	mov cx, 1024
	rep insw
	mov dx, 0x177
.done:	in al, dx
	test al, 0x80
	jnz .done
	call hex2
	mov al, ' '
	call putc
	mov si, BUFFER + 1
	mov byte [si + 5], 0
	call puts
	call end
.halt:	cli
	hlt

irq14:	push ax
	push dx
	inc byte [came]
	inc byte [count]
	mov dx, 0x1f7
	in al, dx
	mov al, 0x20
	out 0xa0, al
	out 0x20, al
	pop dx
	pop ax
	iret

came:	db 0
count:	db 0
read10:	db 0x28, 0, 0, 0, 0, 16, 0, 0, 1, 0, 0, 0

	times 8*512-($-$$) db 0
	times 8*512 db 0
%assign n 16
%rep 8
	dw 0x1000 + n
	times 510 db n
%assign n n+1
%endrep
